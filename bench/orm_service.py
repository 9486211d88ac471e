"""The peer of bench.ingest: adding leads as most tutorials would, with FastAPI and the SQLAlchemy ORM, row by row."""

import os

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, UniqueConstraint, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker


class Base(DeclarativeBase):
    pass


class Lead(Base):
    __tablename__ = "orm_lead"
    __table_args__ = (UniqueConstraint("campaign_id", "linkedin_url"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(index=True)
    linkedin_url: Mapped[str]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    company: Mapped[str | None]
    title: Mapped[str | None]
    custom: Mapped[dict[str, object]] = mapped_column(JSON)


class NewLead(BaseModel):
    model_config = ConfigDict(extra="allow")
    linkedinUrl: str
    firstName: str | None = None
    lastName: str | None = None
    company: str | None = None
    title: str | None = None


class AddLeads(BaseModel):
    campaignId: str
    leads: list[NewLead]


engine = create_engine(os.environ["BENCH_ORM_URL"], pool_size=10)
make_session = sessionmaker(engine)
app = FastAPI()
Base.metadata.create_all(engine)


def session():
    with make_session() as opened:
        yield opened


@app.post("/v1/leads")
def add_leads(request: AddLeads, x_api_key: str = Header(), db: Session = Depends(session)):
    if not x_api_key:
        raise HTTPException(401)
    added = 0
    for row in request.leads:
        known = db.scalar(
            select(Lead).where(Lead.campaign_id == request.campaignId, Lead.linkedin_url == row.linkedinUrl)
        )
        if known is not None:
            continue
        db.add(
            Lead(
                campaign_id=request.campaignId,
                linkedin_url=row.linkedinUrl,
                first_name=row.firstName,
                last_name=row.lastName,
                company=row.company,
                title=row.title,
                custom=row.model_extra or {},
            )
        )
        db.flush()
        added += 1
    db.commit()
    return {"success": True, "leadsAdded": added, "duplicatesSkipped": len(request.leads) - added, "invalidEntries": 0}
