"""The description without `fields`: reads it from standard input, writes it to standard output."""

import json
import sys

document = json.load(sys.stdin)
document["components"]["schemas"]["Part"] = {"not": {}}
for operations in document["paths"].values():
    for operation in operations.values():
        operation["parameters"] = [parameter for parameter in operation["parameters"] if parameter["name"] != "fields"]
json.dump(document, sys.stdout)
