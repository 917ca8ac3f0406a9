# A base image made of Debian packages that were unpacked, not installed: nothing of them has run.

FROM scratch AS base
ADD root.tar /
