"""The campaign that ``leadwright demo`` runs: its sender, its sequence and its people, all of them invented."""

from typing import Any

SENDER: dict[str, Any] = {
    "name": "Sim Sender",
    "linkedinUrl": "https://www.linkedin.com/in/sim-sender-of-the-demo",
    "channel": "simulator",
    "config": {
        "seed": 1337,  # seven of the ten accept, three of those answer
        "acceptRate": 0.7,
        "acceptAfter": {"seconds": 1},
        "replyRate": 0.5,
        "replyAfter": {"seconds": 0.7},
        "replyText": "Good timing. Call me on Thursday?",
        "lagSpread": 0.6,
    },
}

SEQUENCE: dict[str, Any] = {
    "steps": [
        {"id": "visit", "type": "visit_profile"},
        {
            "id": "invite",
            "type": "connect",
            "after": {"seconds": 0.5},
            "note": "Hi {{firstName}}, {{icebreaker | default: 'I like what your team does'}}.",
        },
        {
            "id": "asked",
            "type": "condition",
            "when": "connected",
            "within": {"seconds": 4},
            "then": [
                {
                    "id": "hello",
                    "type": "message",
                    "after": {"seconds": 0.3},
                    "variants": [
                        {"text": "Thanks {{firstName}}! How does {{company}} {find|reach} new customers?", "weight": 1},
                        {"text": "Good to be in touch, {{firstName}}. May I ask about {{company}}?", "weight": 1},
                    ],
                },
                {"id": "bump", "type": "message", "after": {"seconds": 2.2}, "text": "Still curious, {{firstName}}."},
            ],
            "else": [{"id": "withdraw", "type": "withdraw_connection"}],
        },
    ]
}

_PEOPLE = (
    ("Amara", "Okafor", "TechCorp"),
    ("Bram", "Visser", "Delta Works"),
    ("Chiara", "Conti", "Forno"),
    ("Dinh", "Nguyen", "Red River"),
    ("Elif", "Demir", "Anka"),
    ("Farah", "Haddad", "Cedar"),
    ("Goran", "Petrov", "Balkan Rail"),
    ("Hana", "Sato", "Kumo"),
    ("Ines", "Moreau", "Atelier 9"),
    ("Jonas", "Weber", "Nordlicht"),
)

PEOPLE: list[dict[str, Any]] = [
    {
        "linkedinUrl": f"https://www.linkedin.com/in/{first.lower()}-{last.lower()}",
        "firstName": first,
        "lastName": last,
        "company": company,
    }
    for first, last, company in _PEOPLE
]
PEOPLE[0]["icebreaker"] = "loved your talk on AI automation"
