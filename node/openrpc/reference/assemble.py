#!/usr/bin/env python3
"""Joins the sources of the execution API (a checkout of github.com/ethereum/execution-apis) into one OpenRPC document, which
tests/openrpc.rs takes as another reference. Needs PyYAML. Not here: validation; what is joined is printed as it is.

    assemble.py <checkout> > execution-apis.json
    CAIRN_EXECUTION_APIS=$PWD/execution-apis.json cargo test -p cairn-node --test openrpc
"""

import json
import pathlib
import sys

import yaml

NAMESPACES = ["eth", "debug", "txpool"]


def load(paths):
    return [yaml.safe_load(path.read_text()) for path in sorted(paths)]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1]) / "src"
    methods = [m for name in NAMESPACES for part in load((source / name).glob("*.yaml")) for m in part]
    schemas = {}
    for part in load((source / "schemas").glob("*.yaml")):
        schemas.update(part)
    if not methods or not schemas:
        sys.exit(f"{source} holds no methods or no schemas: is it a checkout of execution-apis?")
    document = {
        "openrpc": "1.2.4",
        "info": {"title": "Ethereum JSON-RPC Specification"},
        "methods": methods,
        "components": {"schemas": schemas},
    }
    json.dump(document, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
