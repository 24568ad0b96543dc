def flashinfer_api(func=None, **_options):
    return func if func is not None else lambda f: f
