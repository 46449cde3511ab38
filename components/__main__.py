"""Serves the components to programs in any Pulumi language (`pulumi package add`)."""

import sys
from pathlib import Path

# A plugin runs with this folder as its path; the package `components` lies beside it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pulumi.provider.experimental import component_provider_host

from components import CentralAccount, ConsumerAccount, Domain, ProducerAccount, TableTags

if __name__ == "__main__":
    component_provider_host(
        components=[CentralAccount, ConsumerAccount, Domain, ProducerAccount, TableTags],
        name="lakemesh",
        namespace="lakemesh",
        version="0.1.0",
    )
