/** A screen whose windows the test sees, and whose keyboard and mouse it has: Xvfb. */

import { type How, Output, pause, within } from "./vzrun.ts";

/** A colour, as `[red, green, blue]`. */
export type Colour = readonly [number, number, number];

/** A part of the screen, in pixels from its top left corner. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What is on the screen at one moment. */
export class Picture {
  constructor(readonly width: number, readonly height: number, readonly rgb: Uint8Array) {}

  /** The part of a rectangle's pixels that have a colour, from 0 to 1. */
  share([red, green, blue]: Colour, { x, y, width, height }: Rect): number {
    let count = 0;
    for (let row = y; row < y + height; row++) {
      for (let at = (row * this.width + x) * 3, end = at + width * 3; at < end; at += 3) {
        if (this.rgb[at] === red && this.rgb[at + 1] === green && this.rgb[at + 2] === blue) count++;
      }
    }
    return count / (width * height);
  }

  /** The part of a rectangle's pixels that differ from another picture's, from 0 to 1. */
  difference(other: Picture, { x, y, width, height }: Rect): number {
    let count = 0;
    for (let row = y; row < y + height; row++) {
      for (let at = (row * this.width + x) * 3, end = at + width * 3; at < end; at += 3) {
        if ([0, 1, 2].some((i) => this.rgb[at + i] !== other.rgb[at + i])) count++;
      }
    }
    return count / (width * height);
  }
}

const WIDTH = 1280;
const HEIGHT = 960;

/** GNUstep's frame around a window, where there is no window manager, and the menu bar in it. */
const FRAME = { left: 1, top: 44, right: 1, bottom: 10 };

/** A screen, gone at the end of the block. */
export class Screen implements AsyncDisposable {
  readonly #server: Deno.ChildProcess;
  readonly #display: string;

  private constructor(server: Deno.ChildProcess, display: string) {
    this.#server = server;
    this.#display = display;
  }

  /** Starts one, with a number that nobody has. */
  static async start(): Promise<Screen> {
    const args = ["-displayfd", "1", "-screen", "0", `${WIDTH}x${HEIGHT}x24`, "-nolisten", "tcp"];
    const server = new Deno.Command("Xvfb", { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
    const number = new Output(server.stdout);
    await number.until("\n");
    const screen = new Screen(server, `:${number.text.trim()}`);
    for (let i = 0;; i++) { // it tells its number a moment before it takes clients
      try {
        await screen.do("getdisplaygeometry");
        return screen;
      } catch (error) {
        if (i === 100) throw error;
        await pause(50);
      }
    }
  }

  /** Puts vzrun on it. */
  get how(): How {
    return { env: { DISPLAY: this.#display } };
  }

  async #run(program: string, ...args: string[]): Promise<Uint8Array> {
    const env = { DISPLAY: this.#display };
    const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
    if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    return stdout;
  }

  /** Moves the mouse, presses keys … as xdotool's commands say. */
  async do(...commands: (string | number)[]): Promise<string> {
    return new TextDecoder().decode(await this.#run("xdotool", ...commands.map(String)));
  }

  /** Clicks as a person does: GNUstep may miss the end of a click that has none of a person's length. */
  async press(x: number, y: number): Promise<void> {
    await this.do("mousemove", x, y, "sleep", 0.2, "mousedown", 1, "sleep", 0.2, "mouseup", 1);
  }

  /** What it shows now. */
  async picture(): Promise<Picture> {
    const ppm = await this.#run("import", "-silent", "-window", "root", "-depth", "8", "ppm:-");
    const head = /^P6\s(\d+) (\d+)\s255\s/.exec(new TextDecoder("latin1").decode(ppm.subarray(0, 40)));
    if (!head) throw new Error("import gave no picture");
    return new Picture(Number(head[1]), Number(head[2]), ppm.subarray(head[0].length));
  }

  /** Waits until it shows something. */
  async shows(what: string, isShown: (picture: Picture) => boolean, seconds = 60): Promise<Picture> {
    for (const end = Date.now() + seconds * 1000;;) {
      const start = Date.now();
      const picture = await this.picture();
      if (isShown(picture)) return picture;
      if (Date.now() > end) throw new Error(`the screen does not show ${what} in ${seconds} s`);
      await pause(Math.max(200, 3 * (Date.now() - start))); // a picture takes time that the guest could have
    }
  }

  /** Waits for a window with a title, and until it has the keyboard. */
  async window(title: string): Promise<Window> {
    const found = await within(title, this.do("search", "--sync", "--onlyvisible", "--name", `^${title}$`));
    const id = found.trim().split("\n").at(-1)!;
    for (let i = 0; (await this.do("getwindowfocus")).trim() !== id; i++) {
      if (i === 100) throw new Error(`the window ${title} does not get the keyboard`);
      await pause(50);
    }
    return new Window(this, id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill("SIGTERM");
    await this.#server.status;
  }
}

/** A window on it. */
export class Window {
  constructor(readonly screen: Screen, readonly id: string) {}

  async #geometry(): Promise<Rect> {
    const text = await this.screen.do("getwindowgeometry", "--shell", this.id);
    const value = (name: string) => Number(new RegExp(`${name}=(-?\\d+)`).exec(text)![1]);
    return { x: value("X"), y: value("Y"), width: value("WIDTH"), height: value("HEIGHT") };
  }

  /** Where its content is on the screen. */
  async content(): Promise<Rect> {
    const { x, y, width, height } = await this.#geometry();
    return {
      x: x + FRAME.left,
      y: y + FRAME.top,
      width: width - FRAME.left - FRAME.right,
      height: height - FRAME.top - FRAME.bottom,
    };
  }

  /** Gives its content a size. */
  async resize(width: number, height: number): Promise<void> {
    const frame = [width + FRAME.left + FRAME.right, height + FRAME.top + FRAME.bottom];
    await this.screen.do("windowsize", this.id, ...frame);
  }

  /** Clicks a place of its content. */
  async click(x: number, y: number): Promise<void> {
    const content = await this.content();
    await this.screen.press(content.x + x, content.y + y);
  }

  /** Presses the button in the right corner of its title. */
  async close(): Promise<void> {
    const { x, y, width } = await this.#geometry();
    await this.screen.press(x + width - 12, y + 11);
  }

  /** Chooses a line of the menu Machine, from 0. */
  async choose(line: number): Promise<void> {
    const { x, y } = await this.#geometry();
    await this.screen.do("mousemove", x + 77, y + 33, "mousedown", 1, "sleep", 0.3);
    await this.screen.do("mousemove", x + 85, y + 55 + 20 * line, "sleep", 0.3, "mouseup", 1);
  }
}
