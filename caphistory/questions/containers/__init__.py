"""Read what a container, a unit or a process may do from whatever file describes it.

``recognising`` finds the kind of a file by its content; a module for each kind makes ``Container``
rows of it; ``runtimes`` applies the rules by which a runtime makes sets of capabilities of them.
"""

from caphistory.questions.containers.model import (
    ALL,
    DOCKER,
    NONE,
    CapabilitySet,
    Container,
    Sets,
)
from caphistory.questions.containers.recognising import (
    choose_container,
    containers_in,
    list_names,
    read_process,
)
from caphistory.questions.containers.runtimes import (
    RUNTIMES,
    Given,
    list_runtimes,
    make_given,
    make_set,
    parse_mask,
)

__all__ = [
    "ALL",
    "DOCKER",
    "NONE",
    "RUNTIMES",
    "CapabilitySet",
    "Container",
    "Given",
    "Sets",
    "choose_container",
    "containers_in",
    "list_names",
    "list_runtimes",
    "make_given",
    "make_set",
    "parse_mask",
    "read_process",
]
