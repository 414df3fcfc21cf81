"""How people are told that a field could not be looked at."""

from __future__ import annotations

from pipelint.engine.evidence import Evidence, blank_message, lack_of
from pipelint.rules.compile_condition import Inputs
from pipelint.rules.fields import Field, FieldType
from pipelint.rules.lower_bound import Seen

COUNT = Field("outbound_30d", FieldType.NUMBER, "")


def message(inputs: Inputs) -> str:
    lack = lack_of(inputs, COUNT, {COUNT.column("partial").name: 1})
    return blank_message([Evidence(COUNT.name, "", "", lack)])


def test_a_count_of_what_the_crm_tells_the_last_of_alone_is_known_in_part() -> None:
    partial: dict[str, Seen] = {COUNT.name: "grows"}
    assert message(Inputs(frozenset(), partial, frozenset({COUNT.name}))) == (
        "could not be checked: outbound_30d known only in part, as the CRM tells the last e-mail alone"
    )
    assert message(Inputs(frozenset(), partial)) == (
        "could not be checked: outbound_30d not known far enough back"
    )
