/** A machine's window on AppKit. @module */

export { Application } from "./application.ts";
export { MainThread } from "./main_thread.ts";
export { Window, type Wishes } from "./window.ts";
