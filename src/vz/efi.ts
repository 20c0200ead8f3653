import { fileURL } from "../objc/mod.ts";
import { VZBootLoader } from "./boot_loader.ts";
import { VZClass, VZObject } from "./vz_object.ts";

const ALLOW_OVERWRITE = 1; // VZEFIVariableStoreInitializationOptions

/** EFI's variables, in a file. macOS 13. */
export class VZEFIVariableStore extends VZObject<"VZEFIVariableStore"> {
  static override readonly api = new VZClass("VZEFIVariableStore", "EFI boot");

  /** A store that is there. */
  static open(path: string): VZEFIVariableStore {
    using url = fileURL(path);
    return new this(this.api.create("initWithURL:", url));
  }

  /**
   * A new, empty store.
   *
   * @param overwrite Whether it may take the place of what is there.
   * @throws {NSError} When it cannot be made.
   */
  static create(path: string, overwrite = false): VZEFIVariableStore {
    using url = fileURL(path);
    const initializer = "initCreatingVariableStoreAtURL:options:error:";
    return new this(this.api.create(initializer, url, overwrite ? ALLOW_OVERWRITE : 0));
  }
}

/** Boots as a PC does, by EFI firmware, from the first disk that it can. macOS 13. */
export class VZEFIBootLoader extends VZBootLoader<"VZEFIBootLoader"> {
  static override readonly api = new VZClass("VZEFIBootLoader", "EFI boot");

  static create(variables: VZEFIVariableStore): VZEFIBootLoader {
    const loader = new this(this.api.create("init"));
    loader.send("setVariableStore:", variables);
    return loader;
  }
}
