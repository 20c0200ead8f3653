import { fileURL } from "../objc/mod.ts";
import { BootLoader } from "./boot_loader.ts";
import { type Api, make, VZObject } from "./vz_object.ts";

/** EFI's variables, in a file. macOS 13. */
export class EFIVariableStore extends VZObject {
  static override readonly api: Api = {
    class: "VZEFIVariableStore",
    what: "EFI boot",
    macOS: "13.0",
  };

  /** A store that is there. */
  static open(path: string): EFIVariableStore {
    using url = fileURL(path);
    return new EFIVariableStore(make(EFIVariableStore.api, "initWithURL:", url));
  }

  /**
   * A new, empty store.
   *
   * @throws {NSError} When the file is there already or cannot be made.
   */
  static create(path: string): EFIVariableStore {
    using url = fileURL(path);
    const initializer = "initCreatingVariableStoreAtURL:options:error:";
    return new EFIVariableStore(make(EFIVariableStore.api, initializer, url, 0));
  }
}

/** Boots as a PC does, by EFI firmware, from the first disk that it can. macOS 13. */
export class EFIBootLoader extends BootLoader {
  static override readonly api: Api = { class: "VZEFIBootLoader", what: "EFI boot", macOS: "13.0" };

  static create(variables: EFIVariableStore): EFIBootLoader {
    const loader = new EFIBootLoader(make(EFIBootLoader.api));
    loader.send("setVariableStore:", variables);
    return loader;
  }
}
