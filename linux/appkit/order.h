#import <Foundation/Foundation.h>

/// Writes down a step of a program's, where that is asked for.
/// @param caller Where it came from: AppKit's own steps do not count.
void note_step(NSString *step, const void *caller);
