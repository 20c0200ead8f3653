/** A machine's window on AppKit. @module */

export { Application } from "./application.ts";
export { MainThread } from "./main_thread.ts";
export { Window, type WindowDelegate } from "./window.ts";
