import Foundation

enum StandardError {
    /// Errors are ignored: there is no other channel to report them.
    static func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}

enum StandardOutput {
    /// Ends the process if the text cannot be written, as other tools do, so that a partial report is not mistaken for
    /// a whole one.
    static func write(_ text: String) {
        do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
            StandardError.write(
                "weir: standard output: \((error as NSError).localizedFailureReason ?? "cannot be written")\n")
            exit(1)
        }
    }
}
