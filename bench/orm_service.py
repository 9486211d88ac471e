"""The peer of bench.ingest: adding leads as most tutorials would, with FastAPI and the SQLAlchemy ORM, row by row."""

import os
import socket
from collections.abc import Iterator
from typing import Annotated

import psycopg
import uvicorn
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


class Added(BaseModel):
    success: bool
    leadsAdded: int
    duplicatesSkipped: int
    invalidEntries: int


engine = create_engine(
    "postgresql+psycopg://", creator=lambda: psycopg.connect(os.environ["BENCH_CONNINFO"]), pool_size=10
)
new_session = sessionmaker(engine)
app = FastAPI()


def session() -> Iterator[Session]:
    with new_session() as opened:
        yield opened


@app.post("/v1/leads")
def add_leads(
    request: AddLeads, x_api_key: Annotated[str, Header()], db: Annotated[Session, Depends(session)]
) -> Added:
    if not x_api_key:
        raise HTTPException(401)
    added = sum(add(db, request.campaignId, row) for row in request.leads)
    db.commit()
    return Added(success=True, leadsAdded=added, duplicatesSkipped=len(request.leads) - added, invalidEntries=0)


def add(db: Session, campaign_id: str, row: NewLead) -> bool:
    known = select(Lead.id).where(Lead.campaign_id == campaign_id, Lead.linkedin_url == row.linkedinUrl)
    if db.scalar(known) is not None:
        return False
    lead = Lead(
        campaign_id=campaign_id,
        linkedin_url=row.linkedinUrl,
        first_name=row.firstName,
        last_name=row.lastName,
        company=row.company,
        title=row.title,
        custom=row.model_extra or {},
    )
    db.add(lead)
    db.flush()
    return True


def main() -> None:
    """Serves on a free port and prints its address."""
    Base.metadata.create_all(engine)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
