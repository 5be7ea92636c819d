"""`config` and `doctor`."""

from __future__ import annotations

import sys

import click

from hubsync import config
from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import say
from hubsync.errors import UsageError

_GLYPHS = {"ok": "✓ ok     ", "warning": "! warning", "error": "✗ error  "}


@click.group(
    "config",
    invoke_without_command=True,
    epilog=examples(
        "hubsync config set civitai.api_key          # asked for, hidden, and checked",
        "hubsync config set checkpoint.sdxl /models/sd_xl_base_1.0.safetensors",
        "hubsync config get root",
    ),
)
@click.pass_context
@pass_call
def config_command(call: Call, context: click.Context) -> None:
    """Show and change settings.

    Without a command every setting is listed. Defaults give way to the configuration file, that to the environment
    (HUBSYNC_A__B for the key a.b), that to options.
    """
    if context.invoked_subcommand is None:
        _list(call)


@config_command.command("list")
@pass_call
def config_list(call: Call) -> None:
    """List every setting with its value; keys are hidden."""
    _list(call)


def _list(call: Call) -> None:
    settings = config.flatten(call.settings())
    shown = {key: _hidden(key, value) for key, value in settings.items()}
    if call.json:
        output.emit_json({"settings": shown})
        return
    for key, value in shown.items():
        output.emit(f"{key} = {value!r}" if isinstance(value, str) else f"{key} = {value}")


def _hidden(key: str, value: object) -> object:
    return "(set)" if key in config.SECRET_KEYS and value else value


@config_command.command("get")
@click.argument("key")
@pass_call
def config_get(call: Call, key: str) -> None:
    """Print the value of KEY."""
    config.check_key(key)
    value = config.flatten(call.settings()).get(key, "")
    if call.json:
        output.emit_json({"key": key, "value": value})
    else:
        output.emit(str(value))


@config_command.command("set")
@click.argument("key")
@click.argument("value", required=False)
@pass_call
def config_set(call: Call, key: str, value: str | None) -> None:
    """Set KEY to VALUE in the configuration file.

    Without VALUE it is asked for, hidden if it is a hub's key; such a key is stored if the hub knows it.
    """
    from hubsync.services.settings import store

    config.check_key(key)
    if value is None:
        if not sys.stdin.isatty():
            raise UsageError(f"no value for {key}", hint=f"hubsync config set {key} VALUE")
        value = click.prompt(key, hide_input=key in config.SECRET_KEYS, err=True)
    stored = store(key, str(value), settings=call.settings)
    for note in () if call.quiet else stored.notes:
        say(f"note: {note}")
    if call.json:
        account = {"account": stored.account} if key in config.SECRET_KEYS else {}
        output.emit_json({"key": key, "path": str(stored.path), **account})
    elif not call.quiet:
        say(f"{key} is set in {stored.path}" + (f"; it belongs to {stored.account}" if stored.account else ""))


@config_command.command("path")
@pass_call
def config_path(call: Call) -> None:
    """Print where the configuration file is."""
    path = str(config.config_path())
    if call.json:
        output.emit_json({"path": path})
    else:
        output.emit(path)


@click.command("doctor")
@pass_call
def doctor_command(call: Call) -> int:
    """Check what is set up, and say what to do about the rest.

    The root, hubs and keys, the renderer and its device, checkpoints. Exit 1 if anything is an error.
    """
    with call.open() as hubsync:
        checks = hubsync.doctor.run()
    if call.json:
        rows = [{"name": one.name, "status": one.status, "message": one.message, "hint": one.hint} for one in checks]
        output.emit_json({"checks": rows})
    else:
        width = max(len(one.name) for one in checks)
        for one in checks:
            output.emit(f"{_GLYPHS[one.status]}  {one.name:<{width}}  {one.message}")
            if one.hint:
                output.emit(f"{'':{width + 13}}{one.hint}")
    return 1 if any(one.status == "error" for one in checks) else 0
