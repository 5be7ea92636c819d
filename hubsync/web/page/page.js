// textual.js opens downloads below the server's root; here every address begins with the secret this page has.
const open = window.open;
window.open = (address, target) =>
  open(address.replace(`${location.origin}/download/`, "download/"), target, "noopener");

// A font that is not here when the terminal is measured leaves gaps between its letters.
document.fonts.load('16px "Roboto Mono"');

addEventListener("DOMContentLoaded", () => {
  document.getElementById("again").onclick = () => location.reload();
  // Keys go to the terminal without a click into it, once textual.js says on the body that it is connected.
  const focus = () => document.querySelector(".xterm-helper-textarea").focus();
  new MutationObserver(focus).observe(document.body, { attributeFilter: ["class"] });
});
