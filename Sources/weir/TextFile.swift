import Foundation
import Settings

/// Reads a bounded file of UTF-8.
enum TextFile {
    static let missing = UnreadableFile(reason: "the file does not exist")

    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The maximum length in bytes; a multiple of 1 MiB.
    ///   - waitsForPipe: Whether it may be a pipe, whose writer may never come.
    /// - Returns: The content.
    /// - Throws: Why it cannot be read.
    static func read(_ path: String, atMost limit: Int, waitsForPipe: Bool = true) throws(UnreadableFile) -> String {
        try read(open(path, O_RDONLY | O_CLOEXEC | (waitsForPipe ? 0 : O_NONBLOCK)), limit, isPipe: waitsForPipe)
    }

    /// Reads standard input to its end, and leaves it open.
    static func standardInput(atMost limit: Int) throws(UnreadableFile) -> String {
        // A copy, since the reader closes what it reads.
        try read(fcntl(0, F_DUPFD_CLOEXEC, 0), limit, isPipe: true)
    }

    private static func read(_ descriptor: CInt, _ limit: Int, isPipe: Bool) throws(UnreadableFile) -> String {
        guard descriptor >= 0 else { throw error(errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        let kind = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        guard kind != S_IFDIR else { throw error(EISDIR) }
        guard isPipe || kind == S_IFREG else { throw UnreadableFile(reason: "this is not a regular file") }
        let data: Data
        do {
            data = try content(of: handle, limit)
        } catch {
            throw UnreadableFile(
                reason: "the file cannot be read: \((error as NSError).localizedFailureReason ?? "an error")")
        }
        guard data.count <= limit else { throw UnreadableFile(reason: "the file is larger than \(limit >> 20) MiB") }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw UnreadableFile(reason: "the file is not UTF-8")
        }
        return text
    }

    /// A pipe returns less than was requested, so that the content may need several reads.
    private static func content(of handle: FileHandle, _ limit: Int) throws -> Data {
        var data = Data()
        while data.count <= limit, let part = try handle.read(upToCount: limit + 1 - data.count), !part.isEmpty {
            data += part
        }
        return data
    }

    /// The error of open(2) or read(2), in words for an operator.
    private static func error(_ errno: CInt) -> UnreadableFile {
        switch errno {
        case ENOENT: missing
        case EACCES, EPERM: UnreadableFile(reason: "there is no permission to read the file")
        case EISDIR: UnreadableFile(reason: "this is a directory, not a file")
        default: UnreadableFile(reason: "the file cannot be opened: \(String(cString: strerror(errno)))")
        }
    }
}
