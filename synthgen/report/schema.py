"""``python -m synthgen.report.schema``: the JSON Schema of ``report.json``."""

import json

from synthgen.results import Report

if __name__ == "__main__":
    print(json.dumps(Report.model_json_schema(), indent=2))
