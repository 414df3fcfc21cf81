"""An account in a file: what an administrator and the API changed is there again."""

from pipelint.sandbox.hubspot import HubSpotSandbox
from tests.sandbox.client import NOW
from tests.sandbox.hubspot.conftest import Api


def test_records_and_settings_come_back(tmp_path):
    file = tmp_path / "portal.db"
    with HubSpotSandbox(size=5, now=NOW) as first:
        api = Api(first.base_url, first.token())
        definition = {
            "name": "score",
            "label": "Score",
            "type": "number",
            "fieldType": "number",
            "groupName": "sales_method",
        }
        api.post("/crm/v3/properties/deals", definition)
        api.post("/crm/v4/associations/deals/contacts/labels", {"label": "Lawyer", "name": "lawyer"})
        identity = first.portal.ids("deals")[0]
        api.update((identity, {"score": "80"}))
        before = [api.get(path) for path in PATHS]
        first.save(file)
        before_id = first.portal.ids("deals")[-1]
    with HubSpotSandbox(state=file, now=NOW) as second:
        api = Api(second.base_url, second.token())
        assert [api.get(path) for path in PATHS] == before
        assert second.portal.get("deals", identity)["score"] == "80"
        assert int(second.portal.create("deals", {"dealname": "next"})) > int(before_id)


PATHS = [
    "/crm/v3/objects/deals?propertiesWithHistory=dealstage&limit=50&associations=contacts",
    "/crm/v3/properties/deals",
    "/crm/v3/properties/deals/groups",
    "/crm/v3/pipelines/deals",
    "/crm/v3/pipelines/deals/default/stages?archived=true",
    "/crm/v3/owners?archived=true",
    "/crm/v4/associations/deals/contacts/labels",
    "/crm/v3/property-validations/0-3",
]
