import enum
import os

from . import api_logging
from .api_logging import flashinfer_api
from .moved import moved  # noqa: F401


class Kind(enum.Enum):
    A = 1


@flashinfer_api
def recorded(x, kind=Kind.A):
    return x + 1


@flashinfer_api(
    trace=None,
)
def with_options(x):
    return x + 2


@api_logging.flashinfer_api()
def by_attribute(x):
    return x + 3


def helper(path):
    os.mkdir(path)


class DemoWrapper:
    @flashinfer_api
    def __init__(self, size):
        self.size = size

    @flashinfer_api
    def run(self, x):
        return x * self.size

    def secret(self, path):
        os.mkdir(path)
