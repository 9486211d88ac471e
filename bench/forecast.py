"""How long a forecast of a large campaign takes over HTTP: untouched, on its way, and with leads that all differ."""

import argparse
import time
from statistics import median
from typing import Any

import psycopg

from bench import proc, report
from bench.batches import LEADS_A_BATCH, Batch
from bench.load import Generator, Request
from bench.processes import Server, leadwright, scratch_folder
from bench.report import Result
from leadwright import ids
from leadwright.postgres.embedded import EmbeddedPostgres, attach

LEADS, DAYS = 100_000, 90
MOST_SECONDS = 20.0
SENDERS = 4
"""No two alike, so that none is taken together with another."""
CONNECTIONS = 8

_SCHEDULE = {"timeZone": "Europe/Berlin", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:30"}


def _steps(field: str) -> list[dict[str, Any]]:
    """``field``: what a condition asks for; leads that differ in it are told apart."""
    return [
        {"id": "visit", "type": "visit_profile"},
        {"id": "invite", "type": "connect", "after": {"hours": 2}, "note": "Hi {{firstName}}, {{icebreaker}}"},
        {
            "id": "asked",
            "type": "condition",
            "when": "connected",
            "within": {"days": 7},
            "then": [
                {"id": "hello", "type": "message", "after": {"days": 1}, "text": "Thanks {{firstName}} …"},
                {
                    "id": "large",
                    "type": "condition",
                    "when": {"field": field, "exists": True},
                    "then": [{"id": "bump", "type": "message", "after": {"days": 3}, "text": "At {{company}} …"}],
                },
            ],
            "else": [{"id": "back", "type": "withdraw_connection"}],
        },
    ]


# Every other lead has been invited in the last week, by one of the senders.
_ON_THE_WAY = """
    WITH chosen AS (
        UPDATE lead SET enrolled = true WHERE campaign_id = %(campaign)s AND hashtext(identity_key) %% 2 = 0
        RETURNING workspace_id, id, identity_kind, identity_key,
            (%(senders)s::uuid[])[1 + abs(hashtext(id::text) %% %(count)s)] AS sender_id,
            now() - interval '1 minute' * abs(hashtext('since' || id) %% 10080) AS since
    ), placed AS (
        INSERT INTO enrolment (workspace_id, lead_id, campaign_id, status, state, step_id, step_since,
            sequence_version, sender_id, lane_id, due_at, contacted_at, updated_at)
        SELECT workspace_id, id, %(campaign)s, 'CONNECTION_SENT', 'due', 'asked', since, 1, sender_id,
            (SELECT entry_lane_id FROM campaign WHERE id = %(campaign)s), since + interval '7 days', since, since
        FROM chosen
    )
    INSERT INTO relationship (workspace_id, sender_id, identity_kind, identity_key, state, invited_at, last_lead_id)
    SELECT workspace_id, sender_id, identity_kind, identity_key, 'invited', since, id FROM chosen
"""


class Forecasts:
    """One campaign of a server, and the forecasts of it."""

    def __init__(self, server: Server, database: EmbeddedPostgres, leads: int, rounds: int) -> None:
        assert database.postmaster_pid is not None
        self._server = server
        self._conninfo = database.conninfo
        self._postmaster = database.postmaster_pid
        self._leads = leads
        self._rounds = rounds
        self._senders = [self._new_sender(number) for number in range(SENDERS)]
        settings = {
            "name": "bench",
            "senderIds": self._senders,
            "schedule": _SCHEDULE,
            "maxNewLeadsPerDay": 2_000,
            "sequence": {"steps": _steps("customScore")},
        }
        self.campaign: str = server.call("POST", "/v1/campaigns", settings)["id"]

    def _new_sender(self, number: int) -> str:
        made = self._server.call(
            "POST",
            "/v1/senders",
            {
                "name": f"Sender {number}",
                "linkedinUrl": f"https://www.linkedin.com/in/bench-sender-{number}",
                "channel": "simulator",
                "limits": {
                    "connectionsPerDay": 200 + 100 * number,
                    "connectionsPerWeek": None,
                    "messagesPerDay": 200 + 50 * number,
                    "visitsPerDay": 600,
                    "minGap": {"seconds": 20},
                },
                "rampUp": {"start": 50, "addPerWeek": 25 * (1 + number)},
            },
        )
        return made["id"]

    def add_leads(self, generator: Generator) -> None:
        requests = [Request("/v1/leads", Batch(self.campaign, n)) for n in range(0, self._leads, LEADS_A_BATCH)]
        generator.send(self._server.port, self._server.key, requests, connections=CONNECTIONS)

    def put_on_their_way(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            names = {
                "campaign": ids.bare(ids.Prefix.CAMPAIGN, self.campaign),
                "senders": [ids.bare(ids.Prefix.SENDER, each) for each in self._senders],
                "count": SENDERS,
            }
            connection.execute(_ON_THE_WAY.encode(), names)
            connection.execute("ANALYZE")

    def tell_apart_by(self, field: str) -> None:
        self._server.call("PUT", f"/v1/campaigns/{self.campaign}/sequence", {"steps": _steps(field)})

    def seconds(self, what: str) -> float:
        """The median of what one forecast takes. Raises RuntimeError when it leaves leads out."""
        rounds = [self._round() for _ in range(self._rounds)]
        seconds, processor, told = min(rounds, key=lambda each: abs(each[0] - median(one[0] for one in rounds)))
        if told["leads"] != self._leads:
            raise RuntimeError(f"the forecast is of {told['leads']} leads and not of {self._leads}")
        print(
            f"{what}: {seconds:.2f} s, of processor time {processor:.2f}; "
            f"{told['touches']['total']:,} touches, {told['through']:,} leads through",
            flush=True,
        )
        return seconds

    def _round(self) -> tuple[float, float, dict[str, Any]]:
        """The seconds, those of processor time of server and database, and the answer."""
        pids = (self._server.pid, self._postmaster)
        began, used = time.perf_counter(), sum(map(proc.processor_seconds, pids))
        told = self._server.call("GET", f"/v1/campaigns/{self.campaign}/forecast?days={DAYS}")
        return time.perf_counter() - began, sum(map(proc.processor_seconds, pids)) - used, told


def measure(leads: int = LEADS, rounds: int = 3) -> list[Result]:
    with (
        scratch_folder() as folder,
        leadwright(folder) as server,
        attach(folder) as database,
        Generator() as generator,
    ):
        forecasts = Forecasts(server, database, leads, rounds)
        forecasts.add_leads(generator)
        found = {"untouched": forecasts.seconds("untouched")}
        forecasts.put_on_their_way()
        found["half on their way"] = forecasts.seconds("half on their way")
        forecasts.tell_apart_by("company")
        found["told apart by their company"] = forecasts.seconds("told apart by their company")
    what = f"forecast of {report.short(leads)} leads over {DAYS} days"
    return [Result(f"{what}, {state}", seconds, "s", at_most=MOST_SECONDS) for state, seconds in found.items()]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--leads", type=int, default=LEADS)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    report.show_machine()
    report.show(measure(asked.leads, asked.rounds))


if __name__ == "__main__":
    main()
