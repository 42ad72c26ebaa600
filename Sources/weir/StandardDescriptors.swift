import Foundation

/// The descriptors 0 to 2: standard input, output and error.
enum StandardDescriptors {
    /// Opens those that are closed on /dev/null.
    ///
    /// Otherwise the next file or socket would get such a number, and output for standard error would be written to it.
    /// To be called before anything else is opened. (The C library does the same for set-user-ID programs.)
    static func openMissing() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) == -1 && errno == EBADF {
            // open(2) returns the lowest free number: this one.
            guard open("/dev/null", O_RDWR) == number else { exit(EX_OSERR) }
        }
    }
}
