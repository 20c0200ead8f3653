import { fileURL } from "../objc/mod.ts";
import { VZBootLoader } from "./boot_loader.ts";
import { type Api, make, VZObject } from "./vz_object.ts";

/** EFI's variables, in a file. macOS 13. */
export class VZEFIVariableStore extends VZObject {
  static override readonly api: Api = {
    class: "VZEFIVariableStore",
    what: "EFI boot",
    macOS: "13.0",
  };

  /** A store that is there. */
  static open(path: string): VZEFIVariableStore {
    using url = fileURL(path);
    return new VZEFIVariableStore(make(VZEFIVariableStore.api, "initWithURL:", url));
  }

  /**
   * A new, empty store.
   *
   * @throws {NSError} When the file is there already or cannot be made.
   */
  static create(path: string): VZEFIVariableStore {
    using url = fileURL(path);
    const initializer = "initCreatingVariableStoreAtURL:options:error:";
    return new VZEFIVariableStore(make(VZEFIVariableStore.api, initializer, url, 0));
  }
}

/** Boots as a PC does, by EFI firmware, from the first disk that it can. macOS 13. */
export class VZEFIBootLoader extends VZBootLoader {
  static override readonly api: Api = { class: "VZEFIBootLoader", what: "EFI boot", macOS: "13.0" };

  static create(variables: VZEFIVariableStore): VZEFIBootLoader {
    const loader = new VZEFIBootLoader(make(VZEFIBootLoader.api));
    loader.send("setVariableStore:", variables);
    return loader;
  }
}
