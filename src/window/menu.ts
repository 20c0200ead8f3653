/** Menus of the menu bar, made from plain data. */

import type { DispatchQueue, NSObject } from "../objc/mod.ts";

/** A line of a menu. */
export interface Item {
  title: string;
  /** The selector that is sent. */
  action: string;
  /** Pressed with Command. */
  key?: string;
  /** Who gets the action; without one, the first that answers it, from the window's view up to the application. */
  target?: NSObject;
}

/**
 * Adds a menu to a menu bar.
 *
 * @param enabling Whether AppKit enables items that somebody answers; else it is done by hand.
 * @returns The menu and its items.
 */
export async function addMenu(
  main: DispatchQueue,
  bar: NSObject,
  title: string,
  items: readonly Item[],
  enabling = true,
): Promise<{ menu: NSObject; items: NSObject[] }> {
  const add = "addItemWithTitle:action:keyEquivalent:";
  const menu = await main.make("NSMenu", "initWithTitle:", title);
  await main.call(menu, "setAutoenablesItems:", enabling);
  const made: NSObject[] = [];
  for (const item of items) {
    const line = await main.call(menu, add, item.title, item.action, item.key ?? "") as NSObject;
    if (item.target) await main.call(line, "setTarget:", item.target);
    made.push(line);
  }
  const place = await main.call(bar, add, title, null, "") as NSObject;
  await main.call(bar, "setSubmenu:forItem:", menu, place);
  return { menu, items: made };
}
