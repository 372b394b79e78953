"""What is done in a step, in few words: for coverage, where the same deed of the same process counts once."""

from __future__ import annotations

from ..plan import Plan
from ..steps import Arrive, Due, Expire, Step, Strike, Wake


def action(step: Step, plan: Plan) -> str:
    """Who does what, without arguments."""
    if isinstance(step, Expire):
        return "the server: a blocked read gives up"
    if isinstance(step, Strike):
        if step.process >= 0:
            return f"fault: {plan.faults[step.fault].deed(plan.processes[step.process].name)}"
        return f"fault: {plan.faults[step.fault]}"
    assert isinstance(step, Due)
    event = step.scheduled.event
    name = plan.processes[event.process].name
    if isinstance(event, Arrive):
        words = event.commands[-1 if len(event.commands) == 1 else 1]
        return f"{name}: {words[0].decode(errors='replace')}"
    if isinstance(event, Wake):
        return f"{name}: handles" if event.handled else f"{name}: sleeps"
    return f"{name}: {type(event).__name__.lower()}s"
