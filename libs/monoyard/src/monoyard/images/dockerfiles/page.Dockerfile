# A page: the bundle that `build` made, its files also compressed, behind a small static server.
# The context holds www/ and etc/. The engine appends what differs. Whole directories are copied, so
# that no other is made on the way, which would have the time of the build.

FROM base AS image
COPY --link etc/ /etc/
COPY --link www/ /srv/
WORKDIR /srv
USER 10001:10001
