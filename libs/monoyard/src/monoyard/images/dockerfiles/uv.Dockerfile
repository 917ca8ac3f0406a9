# uv alone, for the steps that install with it; no image holds it.

FROM scratch AS uv
COPY uv /uv
