"""Meeting packs: what a workgroup reads before it meets, in the order of its agenda."""

from obc_pipeline.packs.making import make_pack, write_audience_packs, write_pack

__all__ = ["make_pack", "write_audience_packs", "write_pack"]
