import os

from ..api_logging import flashinfer_api

os.environ["FIR_TEST_COLLECTIVES"] = "imported"


@flashinfer_api
def all_reduce(x):
    return x
