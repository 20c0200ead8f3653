// Asks a closed NSFileHandle for its descriptor, which raises an NSException through FFI's frames.
import { closeFile, descriptorOf, pipe } from "../../../src/host/descriptors.ts";

const { reading } = pipe();
closeFile(reading);
console.log(descriptorOf(reading));
