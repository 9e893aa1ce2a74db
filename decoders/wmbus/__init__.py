"""Wireless M-Bus and wired M-Bus, one file a layer, in wire order.

::

    radio          chips -> bytes as received          (EN 13757-4)
    link, wired    bytes as received -> frame          (EN 13757-4, EN 13757-2)
    ell            extended link layer                 (EN 13757-4)
    afl            authentication and fragmentation    (EN 13757-7)
    transport      headers, configuration field        (EN 13757-7)
    layers         the walk through all of them, offsets kept
    security       keys, ciphers, codes                (OMS Vol. 2)
    compact        frames without record headers       (EN 13757-3, annex G)
    records, vif   data records                        (EN 13757-3)

Each layer takes the whole frame and the place where it begins and gives a small structure with the place
where it ends, so that every byte of a frame can be explained by its offset.
"""
