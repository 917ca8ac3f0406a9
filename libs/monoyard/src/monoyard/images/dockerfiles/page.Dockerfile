# A page: the bundle that `build` made, its files also compressed, behind a small static server.
# The context holds www/ and nginx.conf. The engine appends what differs.

FROM base AS image
COPY --link nginx.conf /etc/nginx/nginx.conf
COPY --link www/ /srv/
WORKDIR /srv
USER 10001:10001
