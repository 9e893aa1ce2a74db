"""Schema migrations, one file per version; run by :func:`metering.store.upgrade`."""
