"""How the served document tells of `Idempotency-Key`: the header is read in front of the routes
(sales.web.keyed), so no handler names it.
"""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema

from sales.web.keyed import KEY

HEADER = Parameter(
    name="Idempotency-Key",
    param_in="header",
    required=False,
    schema=Schema(type=OpenAPIType.STRING, pattern=f"^{KEY.pattern}$"),
    description="Names this question: asked again under it within a day, it is answered as before"
    " and does nothing more (`Idempotency-Replayed: true`). Another question under it is 422, one"
    " that is still at work 409.",
)


@dataclass
class KeyedCall(Operation):
    """For a handler's `operation_class`: a write of a user's."""

    def __post_init__(self) -> None:
        self.parameters = [*(self.parameters or []), HEADER]
