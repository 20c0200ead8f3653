/** The window of a machine: its screen, and the menus. */

import { defineClass, type DefinedClass, type NSObject } from "../objc/mod.ts";
import { SMALLEST } from "../machine/display.ts";
import { frameworkOf, type VirtualMachine } from "../machine/virtual_machine.ts";
import { type Operation, type ViewOptions, VZGraphicsDisplay, VZVirtualMachineView } from "../vz/mod.ts";
import type { Application } from "./application.ts";
import { ANSWERS } from "./main_thread.ts";
import { addMenu } from "./menu.ts";

const NSBackingStoreBuffered = 2;
const NSWindowCollectionBehaviorFullScreenPrimary = 1 << 7;
const NSTerminateCancel = 0;
/** Titled, closable, miniaturizable, resizable. */
const STYLE = 1 | 2 | 4 | 8;

/** What the window leaves to others. */
export interface WindowDelegate {
  /** The close button was pressed, or Quit chosen; `why` says which. */
  close(why: string): void;
  /** Force Stop was chosen. */
  forceStop(): void;
  /** Something that was chosen could not be done. */
  failed(error: Error): void;
}

/** The items of the menu Machine, each enabled as long as the machine's state allows it. */
const MACHINE: readonly (readonly [operation: Operation, title: string, action: string])[] = [
  ["requestStop", "Shut Down", "shutDown:"],
  ["stop", "Force Stop", "forceStop:"],
  ["pause", "Pause", "pause:"],
  ["resume", "Resume", "resume:"],
];

let controllers: DefinedClass<Window> | undefined;

/** A machine's window. */
export class Window {
  readonly #controller: NSObject;
  /** AppKit keeps a window only as long as somebody else does. */
  readonly #kept: NSObject[] = [];
  #machineItems: NSObject[] = [];
  #view?: VZVirtualMachineView;
  /** Sizes that the guest's screen is to get, one after the other; of those that wait only the last one counts. */
  #fitting?: Promise<void>;
  #fitAgain = false;
  #hidpi = false;

  private constructor(
    readonly application: Application,
    readonly machine: VirtualMachine,
    readonly delegate: WindowDelegate,
  ) {
    controllers ??= Window.#defineController();
    controllers.ref(); // what is clicked has to wake JavaScript
    this.#controller = controllers.create(this);
  }

  /** Opens one. */
  static async open(
    application: Application,
    machine: VirtualMachine,
    title: string,
    options: ViewOptions,
    delegate: WindowDelegate,
  ): Promise<Window> {
    const window = new Window(application, machine, delegate);
    await window.#addMenus(title);
    await window.#show(title, options);
    window.#hidpi = options.hidpi;
    await machine.watchState((state) => {
      window.#enableItems();
      if (state === "running") window.#fitScreen();
    });
    await window.#enableItems();
    return window;
  }

  // AppKit calls these on the main thread, which waits until they have returned.
  static #defineController(): DefinedClass<Window> {
    const chosen = (choose: (window: Window) => void | Promise<void>) => ({
      types: "v@:@",
      implementation: async (window: Window) => {
        try {
          await choose(window);
        } catch (error) {
          window.delegate.failed(error as Error);
        }
      },
    });
    return defineClass<Window>("VZRunWindowController", {
      ...ANSWERS,
      "windowShouldClose:": {
        types: "B@:@",
        implementation: (window) => {
          window.delegate.close("the window was closed");
          return false; // it goes when the machine has ended
        },
      },
      "applicationShouldTerminate:": {
        types: "Q@:@",
        implementation: (window) => {
          window.delegate.close("Quit");
          return NSTerminateCancel;
        },
      },
      "windowDidResize:": { types: "v@:@", implementation: (window) => window.#fitScreen() },
      "shutDown:": chosen(({ machine }) => machine.requestStop()),
      "forceStop:": chosen(({ delegate }) => delegate.forceStop()),
      "pause:": chosen(({ machine }) => machine.pause()),
      "resume:": chosen(({ machine }) => machine.resume()),
    });
  }

  async #addMenus(title: string): Promise<void> {
    const { main, object } = this.application;
    const bar = await main.make("NSMenu", "initWithTitle:", title);
    await addMenu(main, bar, "vzrun", [{ title: "Quit vzrun", action: "terminate:", key: "q" }]);
    const target = this.#controller;
    const lines = MACHINE.map(([_, title, action]) => ({ title, action, target }));
    this.#machineItems = (await addMenu(main, bar, "Machine", lines, false)).items;
    const { menu } = await addMenu(main, bar, "Window", [
      { title: "Minimize", action: "performMiniaturize:", key: "m" },
      { title: "Zoom", action: "performZoom:" },
      { title: "Close", action: "performClose:", key: "w" },
      { title: "Bring All to Front", action: "arrangeInFront:" },
    ]);
    await main.call(object, "setMainMenu:", bar);
    await main.call(object, "setWindowsMenu:", menu);
    await main.call(object, "setDelegate:", this.#controller);
  }

  async #show(title: string, options: ViewOptions): Promise<void> {
    const { main } = this.application;
    const view = this.#view = await VZVirtualMachineView.create(options);
    const frame = [[0, 0], [options.width, options.height]];
    const initializer = "initWithContentRect:styleMask:backing:defer:";
    const window = await main.make("NSWindow", initializer, frame, STYLE, NSBackingStoreBuffered, false);
    this.#kept.push(window);
    await main.call(window, "setReleasedWhenClosed:", false);
    await main.call(window, "setTitle:", title);
    await main.call(window, "setContentMinSize:", [SMALLEST.width, SMALLEST.height]);
    await main.call(window, "setCollectionBehavior:", NSWindowCollectionBehaviorFullScreenPrimary);
    await main.call(window, "setContentView:", view.object);
    await main.call(window, "setDelegate:", this.#controller);
    await main.call(window, "center");
    await view.show(frameworkOf(this.machine));
    await main.call(window, "makeKeyAndOrderFront:", null);
    await main.call(window, "makeFirstResponder:", view.object);
  }

  /** Gives the guest's screen a pixel for each point of the view, where the view does not see to it. macOS 14. */
  #fitScreen(): void {
    if (this.#hidpi || !VZGraphicsDisplay.isAvailable) return;
    if (this.#fitting) {
      this.#fitAgain = true;
      return;
    }
    this.#fitAgain = false;
    this.#fitting = this.#fit().catch(() => {}).then(() => { // a machine that is not running has no size to be given
      this.#fitting = undefined;
      if (this.#fitAgain) this.#fitScreen();
    });
  }

  async #fit(): Promise<void> {
    const [width, height] = await this.#view!.size();
    for (const display of await frameworkOf(this.machine).displays()) {
      await display.reconfigure(width, height);
    }
  }

  async #enableItems(): Promise<void> {
    const operations = await this.machine.operations();
    for (const [i, [operation]] of MACHINE.entries()) {
      await this.application.main.call(this.#machineItems[i], "setEnabled:", operations[operation]);
    }
  }
}
