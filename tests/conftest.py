pytest_plugins = ["tests.engines", "tests.shop"]
