from .api_logging import flashinfer_api


@flashinfer_api
def moved(x):
    return x + 5
