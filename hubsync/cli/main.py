"""The `hubsync` command: its subcommands by name, imported only when one is run, and the border for errors."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

import click

from hubsync.cli import diagnostics, output
from hubsync.cli.common import Call, global_options, leave, on_screen, open_tui
from hubsync.errors import Cancelled, HubsyncError, Internal, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {
    "search": ("hubsync.cli.search", "Search Civitai and Hugging Face for LoRAs, side by side."),
    "show": ("hubsync.cli.search", "Show everything a hub knows about REF, before a byte is downloaded."),
    "install": ("hubsync.cli.install", "Download REFs, verify them, and place them in the library."),
    "downloads": ("hubsync.cli.downloads", "List, resume or cancel downloads that are not done."),
    "list": ("hubsync.cli.library", "List the library."),
    "info": ("hubsync.cli.library", "Show everything known of one installed LoRA."),
    "scan": ("hubsync.cli.scan", "Read the disk into the library; recognise files by hash."),
    "verify": ("hubsync.cli.scan", "Hash files again, all or those named, and compare."),
    "duplicates": ("hubsync.cli.scan", "List what is there twice."),
    "update": (
        "hubsync.cli.update",
        "Bring newer versions of the same base-model family, of all LoRAs or those named.",
    ),
    "remove": ("hubsync.cli.moving", "Move LoRAs to the trash, with every sidecar and preview."),
    "restore": ("hubsync.cli.moving", "Bring a removed LoRA back to where it was, or list the trash."),
    "move": ("hubsync.cli.moving", "Rename a LoRA, or move it below the LoRA folder, with every sidecar and preview."),
    "inspect": ("hubsync.cli.library", "Read a safetensors FILE's header: what it is, without loading a tensor."),
    "triggers": ("hubsync.cli.triggers", "Show and edit a LoRA's trigger words."),
    "prompt": ("hubsync.cli.prompts", "Put LoRAs with their trigger words into TEXT, or take them out."),
    "render": ("hubsync.cli.render", "Test-render LoRAs: without, with, and with trigger words; say what changed."),
    "renders": ("hubsync.cli.render", "List the renders so far, newest first."),
    "config": ("hubsync.cli.settings", "Show and change settings."),
    "doctor": ("hubsync.cli.settings", "Check what is set up, and say what to do about the rest."),
    "web": ("hubsync.cli.web", "Serve the TUI to a browser on this machine, until Ctrl-C."),
    "completion": ("hubsync.cli.completion", "Print the script that completes hubsync's commands in a shell."),
    "demo": (
        "hubsync.cli.demo",
        "Try everything in a sandbox: both hubs on loopback, real small LoRAs, a throw-away library.",
    ),
}

COMPLETING = "_HUBSYNC_COMPLETE"
"""The variable in which a shell asks what could come next."""


class Commands(click.Group):
    """A group that imports a command's module when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every command, in the order a user meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        if ctx.resilient_parsing:  # a shell asks what could come next
            from hubsync.cli.completion import offering

            return offering(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands and options that begin like this, without importing any."""
        from click.shell_completion import CompletionItem

        commands = [CompletionItem(name, help=text) for name, (_, text) in _COMMANDS.items()]
        return [
            *(item for item in commands if item.value.startswith(incomplete)),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


def _print_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        from importlib.metadata import version

        output.emit(f"hubsync {version('hubsync')}")
        context.exit()


@click.group(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "obj": None}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@global_options
@click.pass_context
def cli(context: click.Context) -> None:
    """Find, install, understand and test-render Stable Diffusion LoRAs.

    Without a command, on a terminal, the TUI opens. `hubsync COMMAND --help` tells all about one command, and `hubsync
    demo` tries everything in a sandbox: it needs no key, no GPU and no network.
    """
    if context.invoked_subcommand is not None:
        return
    if not on_screen():
        click.echo(context.get_help(), err=True)
        context.exit(2)
    with (context.obj or Call()).open() as hubsync:
        open_tui(hubsync)


def main() -> NoReturn:
    """Run the command line; the one place where errors become exit codes."""
    # A thread that receives waits for the interpreter up to this long after every block while another one computes:
    # 200 MB take a tenth less time with 0.5 ms than with Python's 5.
    sys.setswitchinterval(0.0005)
    try:
        if COMPLETING in os.environ:
            import hubsync.cli.completion  # noqa: F401  (Click is told of shells by importing them)
        result = cli.main(prog_name="hubsync", complete_var=COMPLETING, standalone_mode=False)
        leave(result if isinstance(result, int) else 0)
    except (click.Abort, KeyboardInterrupt, Cancelled):
        _fail(Cancelled())
    except click.UsageError as error:
        hint = f"{error.ctx.command_path} --help" if error.ctx else "hubsync --help"
        _fail(UsageError(error.format_message(), hint=hint))
    except click.ClickException as error:
        _fail(HubsyncError(error.format_message()))
    except HubsyncError as error:
        _fail(error)
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:  # noqa: BLE001  (the outermost border: a bug must not end in a traceback)
        _fail(Internal(f"{type(error).__name__}: {error}", hint="run it again with --verbose and report it"))


def _fail(error: HubsyncError | Cancelled) -> NoReturn:
    asked = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    if "--json" in asked:
        message, hint = (error.message, error.hint) if isinstance(error, HubsyncError) else ("cancelled", "")
        output.emit_json({"error": {"code": error.code, "message": message, "hint": hint}})
    diagnostics.report(error)
    if any(flag in asked for flag in ("-v", "--verbose")):
        diagnostics.say(traceback.format_exc())
    leave(diagnostics.exit_code(error))
