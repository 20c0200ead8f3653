/** Apple's table of methods as types: a selector or an argument that is wrong is an error of `deno check`. */

import type { NSObject, ObjectValue } from "../objc/mod.ts";
import type { API } from "./api.ts";

/** What may be given for an argument of an encoding; completion handlers are made by `QueueObject.complete`. */
interface ArgumentTypes extends Record<"q" | "Q" | "i" | "I" | "S" | "C", number | bigint> {
  "@": ObjectValue;
  Z: boolean;
  d: number;
  "^v": null;
  "^{vmnet_network=}": NSObject;
  "{CGSize=dd}": [width: number, height: number];
  "{CGRect}": [origin: [x: number, y: number], size: [width: number, height: number]];
}

/** What comes back for a result of an encoding. A BOOL is a number on Intel Macs. */
interface ResultTypes extends Record<"q" | "Q", bigint>, Record<"i" | "I" | "S" | "C", number> {
  "@": NSObject | null;
  Z: boolean | number;
  d: number;
  v: undefined;
  "{CGRect}": [origin: [x: number, y: number], size: [width: number, height: number]];
}

/** Of the methods that are not Virtualization's, those that src/vz sends: NSObject's, and NSView's. */
interface Inherited {
  "-init": "11.0 @";
  "-copy": "11.0 @";
  "-addObserver:forKeyPath:options:context:": "11.0 v @ @ Q ^v";
}
interface InheritedByView {
  "-initWithFrame:": "11.0 @ {CGRect}";
  "-bounds": "11.0 {CGRect}";
}

type Methods<C extends ClassName> =
  & typeof API[C]
  & Inherited
  & (C extends "VZVirtualMachineView" ? InheritedByView : unknown);

type Split<T extends string> = T extends `${infer A} ${infer B}` ? [A, ...Split<B>] : [T];

/** First macOS, result and arguments of a method. */
type Signature<C extends ClassName, M extends string> = Methods<C> extends Record<M, infer T extends string>
  ? Split<T>
  : never;

/** Values of the types of arguments. An `NSError **` at the end is left out: what it gets is thrown. */
type Values<A extends string[]> = A extends [...infer B extends string[], "o^@"] ? Values<B>
  : { [I in keyof A]: A[I] extends keyof ArgumentTypes ? ArgumentTypes[A[I]] : never };

/** A class of Virtualization that is wrapped here. */
export type ClassName = keyof typeof API;

/** Whether a method is the class's or an instance's. */
type Kind = "+" | "-";

/** A selector that instances of a class answer to, or the class itself. */
export type Selector<C extends ClassName, K extends Kind = "-"> = keyof Methods<C> extends infer M
  ? M extends `${K}${infer S}` ? S : never
  : never;

/** A text for each method that came later than its class. */
export type Newer<C extends ClassName> = {
  readonly [
    M in keyof typeof API[C] as M extends `${Kind}${infer S}`
      ? Signature<C, M> extends [typeof API[C]["macOS"], ...string[]] ? never : S
      : never
  ]: string;
};

/** What a method takes. */
export type Arguments<C extends ClassName, S extends string, K extends Kind = "-"> =
  Signature<C, `${K}${S}`> extends [string, string, ...infer A extends string[]] ? Values<A> : never;

/** What a method gives. */
export type Returned<C extends ClassName, S extends string, K extends Kind = "-"> =
  Signature<C, `${K}${S}`> extends [string, infer R extends keyof ResultTypes, ...string[]] ? ResultTypes[R]
    : never;

/** A selector whose last argument is a completion handler. */
export type CompletingSelector<C extends ClassName> = {
  [S in Selector<C>]: Signature<C, `-${S}`> extends [...string[], `@?<${string}`] ? S : never;
}[Selector<C>];

/** What a method takes before its completion handler. */
export type LeadingArguments<C extends ClassName, S extends string> = Signature<C, `-${S}`> extends
  [string, string, ...infer A extends string[], string] ? Values<A> : never;

/** What a completion handler gets: an object, or just word that it is done. */
export type Completed<C extends ClassName, S extends string> = Signature<C, `-${S}`> extends
  [...string[], "@?<v;@,@>"] ? NSObject : undefined;
