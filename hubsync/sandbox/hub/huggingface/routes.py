"""The Hub's routes."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from hubsync.sandbox.hub.blobs import Blob, Span
from hubsync.sandbox.hub.huggingface import errors
from hubsync.sandbox.hub.huggingface.catalogue import RENAMED
from hubsync.sandbox.hub.huggingface.listing import listing
from hubsync.sandbox.hub.huggingface.repositories import Repo, is_large
from hubsync.sandbox.hub.huggingface.shapes import ALONE, EXPANDABLE, commit, repository, tree_file, tree_folder
from hubsync.sandbox.hub.messages import Reply, Request, as_json, as_text, pairs, redirect
from hubsync.sandbox.hub.router import Router
from hubsync.sandbox.hub.storage.files import Storage

NAME = "([^/]+/[^/]+)"
LIMITS = {"RateLimit": '"api";r=499;t=295', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}


class HuggingFaceSite:
    """The Hub: answers from its repositories, knows one token, sends large files to the storage origin."""

    def __init__(self, repos: dict[str, Repo], storage: Storage, *, token: str) -> None:
        self._repos = repos
        # An old name and another spelling both lead to the name a repository has now.
        self._names = {**RENAMED, **{known.lower(): known for known in repos}}
        self._storage = storage
        self._token = token
        self._router = Router(
            ("GET /api/models", self._list),
            (f"GET /api/models/{NAME}", self._info),
            (f"GET /api/models/{NAME}/revision/([^/]+)", self._info),
            (f"GET /api/models/{NAME}/tree/([^/]+)/?(.*)", self._tree),
            (f"POST /api/models/{NAME}/paths-info/([^/]+)", self._paths_info),
            (f"GET /api/models/{NAME}/commits/([^/]+)", self._commits),
            (f"(?:GET|HEAD) /api/resolve-cache/models/{NAME}/([^/]+)/(.+)", self._small_file),
            ("GET /api/whoami-v2", self._whoami),
            ("GET /api/agent-harnesses", self._harnesses),
            (f"(?:GET|HEAD) /{NAME}/resolve/([^/]+)/(.+)", self._resolve),
            (f"GET /{NAME}(?:/(?:tree|blob)/.+)?", self._page),
        )

    def answer(self, request: Request) -> Reply:
        """The answer to any request; those of the API say what is left of the caller's allowance."""
        token = request.bearer
        if token is not None and token != self._token:
            return errors.bad_token()
        reply = self._router.answer(request) or errors.error(404, "Not found")
        if not request.path.startswith("/api/"):
            return reply
        return replace(reply, headers={**LIMITS, **reply.headers})

    def _find(self, request: Request, name: str, revision: str = "main") -> Repo | Reply:
        if (new := self._names.get(name.lower(), name)) != name:
            query = f"?{request.with_query()}" if request.query else ""
            return redirect(request.path.replace(quote(name), quote(new), 1) + query)
        repo = self._repos.get(name)
        if repo is None or (repo.record.private and request.bearer is None):
            return errors.no_repository()
        return repo if repo.has_revision(revision or "main") else errors.no_revision(revision)

    def _list(self, request: Request) -> Reply:
        return listing(request, self._repos.values())

    def _info(self, request: Request, name: str, revision: str = "") -> Reply:
        repo = self._find(request, name, revision)
        if isinstance(repo, Reply):
            return repo
        expanded = request.all("expand") + request.all("expand[]")
        if not EXPANDABLE.issuperset(expanded):
            return errors.error(400, f"Invalid expand: {', '.join(expanded)}")
        return as_json(repository(repo, expanded or ALONE, blobs=request.flag("blobs")))

    def _tree(self, request: Request, name: str, revision: str, folder: str) -> Reply:
        repo = self._find(request, name, revision)
        if isinstance(repo, Reply):
            return repo
        if folder and folder not in repo.folders:
            return errors.no_entry()
        prefix, expand = f"{folder}/" if folder else "", request.flag("expand")
        below = sorted(path for path in {*repo.folders, *repo.files} if path.startswith(prefix))
        if not request.flag("recursive"):
            below = [path for path in below if "/" not in path.removeprefix(prefix)]
        return as_json([self._entry(repo, path, expand=expand) for path in below])

    def _paths_info(self, request: Request, name: str, revision: str) -> Reply:
        repo = self._find(request, name, revision)
        if isinstance(repo, Reply):
            return repo
        form = pairs(request.body.decode())
        expand = ("expand", "true") in form or ("expand", "True") in form
        known = {*repo.folders, *repo.files}
        paths = [value.strip("/") for key, value in form if key == "paths"]
        return as_json([self._entry(repo, path, expand=expand) for path in paths if path in known])

    def _entry(self, repo: Repo, path: str, *, expand: bool) -> dict[str, object]:
        return tree_file(repo, path, expand=expand) if path in repo.files else tree_folder(repo, path)

    def _commits(self, request: Request, name: str, revision: str) -> Reply:
        repo = self._find(request, name, revision)
        if isinstance(repo, Reply):
            return repo
        if refused := self._refused(request, repo):
            return refused
        author = {"user": repo.record.author}
        return as_json([{**commit(repo), "authors": [author], "message": ""}])

    def _refused(self, request: Request, repo: Repo) -> Reply | None:
        record, signed_in = repo.record, request.bearer is not None
        if record.disabled:
            return errors.disabled()
        if record.gated == "manual" or (record.gated and not signed_in):
            return errors.gated(record.id, signed_in=signed_in)
        return None

    def _resolve(self, request: Request, name: str, revision: str, path: str) -> Reply:
        repo = self._find(request, name, revision)
        if isinstance(repo, Reply):
            return repo
        if refused := self._refused(request, repo):
            return refused
        blob = repo.files.get(path)
        if blob is None:
            missing = errors.no_entry()
            return replace(missing, headers={**missing.headers, "X-Repo-Commit": repo.sha})
        if is_large(path):
            return self._large_file(repo, path, blob)
        place = f"/api/resolve-cache/models/{name}/{repo.sha}/{quote(path)}"
        return redirect(place, headers={"X-Repo-Commit": repo.sha, "ETag": f'"{blob.git_oid}"'})

    def _large_file(self, repo: Repo, path: str, blob: Blob) -> Reply:
        leaf = path.rpartition("/")[2]
        disposition = f"inline; filename*=UTF-8''{quote(leaf)}; filename=\"{leaf}\";"
        location = self._storage.offer(blob, f"huggingface/{repo.record.id}/{repo.sha}/{path}", disposition=disposition)
        headers = {
            "X-Repo-Commit": repo.sha,
            "X-Linked-Size": str(blob.size),
            "X-Linked-Etag": f'"{blob.sha256}"',
            "Accept-Ranges": "bytes",
        }
        return redirect(location, status=302, headers=headers)

    def _small_file(self, request: Request, name: str, revision: str, path: str) -> Reply:
        repo = self._find(request, name, revision)
        if isinstance(repo, Reply):
            return repo
        blob = repo.files.get(path)
        if blob is None or self._refused(request, repo) or is_large(path):
            return errors.no_entry()
        kind = "image/png" if path.endswith(".png") else "text/plain; charset=utf-8"
        headers = {"X-Repo-Commit": repo.sha, "ETag": f'"{blob.git_oid}"', "Content-Type": kind}
        return Reply(headers=headers, body=Span(blob, 0, blob.size))

    def _whoami(self, request: Request) -> Reply:
        if request.bearer is None:
            return errors.error(401, "Invalid username or password.")
        token = {"type": "access_token", "accessToken": {"displayName": "sandbox", "role": "read"}}
        names = {"id": "6540000000000000000000aa", "name": "sandbox", "fullname": "Sandbox", "type": "user"}
        return as_json({**names, "email": None, "isPro": False, "orgs": [], "auth": token})

    def _harnesses(self, _request: Request) -> Reply:
        return as_json({})

    def _page(self, request: Request, name: str) -> Reply:
        repo = self._find(request, name)
        if isinstance(repo, Reply):
            return repo
        return as_text(f"<!doctype html><html><head><title>{name}</title></head></html>", kind="text/html")
