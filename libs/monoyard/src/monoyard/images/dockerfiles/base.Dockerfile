# A base image made of Debian packages that were unpacked, not installed: nothing of them has run.
# What their installation would have set up, and services need, is made by root.py.

FROM scratch AS unpacked
ADD root.tar /

FROM unpacked AS base
RUN --mount=type=bind,source=root.py,target=/in/root.py ["python3", "/in/root.py"]
