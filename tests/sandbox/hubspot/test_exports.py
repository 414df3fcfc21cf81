"""An account from a folder of one's own exports."""

import json

from pipelint.sandbox.hubspot import HubSpotSandbox
from tests.sandbox.client import NOW
from tests.sandbox.hubspot.conftest import Api

STAGES = [
    {"id": "s1", "label": "First", "metadata": {"isClosed": "false", "probability": "0.2"}},
    {"id": "s2", "label": "Won", "metadata": {"isClosed": "true", "probability": "1.0"}},
]
DEAL = {
    "id": "9000000001",
    "createdAt": "2026-01-05T08:00:00.250Z",
    "updatedAt": "2026-10-01T08:00:00Z",
    "properties": {"dealname": "Ours", "pipeline": "p", "dealstage": "s2", "amount": "10", "our_field": "x"},
    "associations": {"contacts": {"results": [{"id": "77", "type": "deal_to_contact"}]}},
}
CONTACT = {"id": "77", "createdAt": "2026-01-05T08:00:00Z", "properties": {"lastname": "Vogt"}}


def test_records_come_in_with_ids_stamps_and_links(tmp_path):
    pipelines = {"results": [{"id": "p", "label": "Ours", "stages": STAGES}]}
    owner = {
        "id": "5",
        "userId": 6,
        "email": "a@b.example",
        "firstName": "A",
        "lastName": "B",
        "archived": False,
    }
    files = {"pipelines": pipelines, "owners": [owner], "deals": {"results": [DEAL]}, "contacts": [CONTACT]}
    for name, document in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    with HubSpotSandbox(data=tmp_path, now=NOW) as sandbox:
        assert sandbox.loaded == ["1 deals", "1 contacts"]
        api = Api(sandbox.base_url, sandbox.token())
        asked = "our_field,hs_is_closed_won,hs_v2_date_entered_current_stage"
        [told] = api.get("/crm/v3/objects/deals", properties=asked, associations="contacts")["results"]
        assert (told["id"], told["createdAt"], told["updatedAt"]) == (
            DEAL["id"],
            "2026-01-05T08:00:00.250Z",
            "2026-10-01T08:00:00Z",
        )
        assert (told["properties"]["our_field"], told["properties"]["hs_is_closed_won"]) == ("x", "true")
        assert told["associations"]["contacts"]["results"][0]["id"] == "77"
        assert "5" in {it["id"] for it in api.get("/crm/v3/owners")["results"]}
        assert int(sandbox.portal.create("deals", {"dealname": "Next"})) > 9_000_000_001


def test_what_cannot_come_in_is_told(tmp_path):
    bad = {**DEAL, "properties": {"amount": "many", "dealstage": "gone"}, "associations": None}
    (tmp_path / "deals.json").write_text(json.dumps([bad]), encoding="utf-8")
    (tmp_path / "contacts.json").write_text("{", encoding="utf-8")
    sandbox = HubSpotSandbox(data=tmp_path, now=NOW)
    assert sandbox.loaded[0] == "1 deals"
    said = "\n".join(sandbox.loaded)
    assert "left out amount" in said
    assert "no pipeline has its stage gone" in said
    assert "left out contacts.json" in said
