/**
 * Reads XML with Foundation's NSXMLParser: a delegate in JavaScript, a message on a queue, a block, an error.
 *
 *     deno run --allow-ffi parse_xml.ts                on macOS
 *     deno run --allow-ffi parse_xml.ts LIBRARY        elsewhere: a library that has GNUstep and its runtime
 */

import {
  Block,
  Class,
  defineClass,
  DispatchQueue,
  fromObjC,
  NSError,
  type NSObject,
  setLibraryPaths,
} from "../mod.ts";

if (Deno.args[0]) setLibraryPaths(() => Deno.args[0]);

interface Reading {
  titles: string[];
  text: string;
}

// The encodings are what @encode gives: void, receiver and selector, then objects.
const delegates = defineClass<Reading>("ExampleParserDelegate", {
  "parser:didStartElement:namespaceURI:qualifiedName:attributes:": {
    types: "v@:@@@@@",
    implementation: (reading) => reading.text = "",
  },
  "parser:foundCharacters:": {
    types: "v@:@@",
    implementation: (reading, _parser, text) => reading.text += fromObjC(text),
  },
  "parser:didEndElement:namespaceURI:qualifiedName:": {
    types: "v@:@@@@",
    implementation(reading, _parser, element) {
      if (String(element) === "title") reading.titles.push(reading.text);
    },
  },
});
const queue = DispatchQueue.create("parser");

async function titlesOf(xml: string): Promise<string[]> {
  const reading: Reading = { titles: [], text: "" };
  using delegate = delegates.create(reading);
  using parser = Class.named("NSXMLParser").create("initWithData:", new TextEncoder().encode(xml));
  parser.send("setDelegate:", delegate); // parsers hold their delegates weakly: it is here that it is held
  delegates.ref(); // calls of another thread are to be expected
  const parsed = await queue.call(parser, "parse");
  delegates.unref();
  if (parsed) return reading.titles;
  throw NSError.from(parser.send("parserError") as NSObject);
}

const titles = await titlesOf(`
  <books>
    <book><title>Moby Dick</title></book>
    <book><title>Emma</title></book>
    <book><title>War &amp; Peace</title></book>
  </books>`);
console.log(titles); // in the order of the text

using list = Class.named("NSArray").send("arrayWithArray:", titles) as NSObject;
// NSComparator: an NSInteger (q) of the block itself (@?) and two objects
using byLength = new Block("q@?@@", (a, b) => Math.sign(String(a).length - String(b).length));
using sorted = list.send("sortedArrayUsingComparator:", byLength) as NSObject;
console.log(fromObjC(sorted)); // the shortest first

try {
  await titlesOf("<books><book></books>");
} catch (error) {
  if (!(error instanceof NSError)) throw error;
  console.log(error.domain, error.code);
}
