"""Rules about Lake Formation semantics, one module for each concern. Stands alone: needs Pulumi's SDKs and nothing
else."""
