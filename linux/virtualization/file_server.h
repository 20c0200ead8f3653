#import "child_process.h"

/// A virtiofsd that has a folder for one guest. It ends when its connection does.
/// @param folder Its descriptor, which this closes.
/// @param connection QEMU's end, the caller's to close.
/// @return nil with an error when it cannot be made. It is not started yet.
ChildProcess *file_server(int folder, BOOL readOnly, NSString *tag, int *connection, NSError **error);
