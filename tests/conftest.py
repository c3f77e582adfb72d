import os

pytest_plugins = ["tests.engines", "tests.shop"]

if "CI" in os.environ:
    # pytest prints differences whole where it sees this, which hides the summary. Empty, it is still seen by hypothesis.
    os.environ["CI"] = ""
