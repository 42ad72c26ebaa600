import Glibc
import Settings

/// The file of a unix socket, which outlives the process that listened there.
///
/// bind(2) fails for a path that exists. A file at which no process listens is removed; one at which a process listens is
/// a conflict. Between the check and the bind, a lock on the folder (flock(2)) excludes other weir processes.
enum UnixSocketFile {
    /// A lock that ends with ``release()``, or with the process.
    struct FolderLock {
        fileprivate let descriptor: CInt
        func release() { _ = close(descriptor) }
    }

    /// The maximum time to wait for the lock, which is held only during a bind.
    private static let attempts = 100
    private static let interval = Duration.milliseconds(10)

    /// Makes the path of a unix socket free to be bound; does nothing for other addresses.
    ///
    /// - Returns: A lock to be released once the socket listens; `nil` if none is needed, or the folder cannot be opened.
    /// - Throws: ``Server/BindError`` if a process listens there, or the file is not a socket.
    static func prepare(_ address: ListenAddress) async throws -> FolderLock? {
        guard case .unix(let path) = address else { return nil }
        let lock = try await lockFolder(of: path, for: address)
        do throws(Server.BindError) {
            try removeStale(path, of: address)
        } catch {
            lock?.release()
            throw error
        }
        return lock
    }

    private static func lockFolder(of path: String, for address: ListenAddress) async throws -> FolderLock? {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        let descriptor = Glibc.open(String(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // If it cannot be opened, bind(2) reports why.
        guard descriptor >= 0 else { return nil }
        for _ in 0..<attempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return FolderLock(descriptor: descriptor) }
            try? await Task.sleep(for: interval)
        }
        _ = close(descriptor)
        throw Server.BindError(description: "cannot listen on \(address.text): another process has locked its folder")
    }

    private static func removeStale(_ path: String, of address: ListenAddress) throws(Server.BindError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Server.BindError(description: "cannot listen on \(address.text): a file is there that is no socket")
        }
        guard isStale(path) else { throw Server.BindError(at: address, errno: EADDRINUSE) }
        guard unlink(path) == 0 || errno == ENOENT else { throw Server.BindError(at: address, errno: errno) }
    }

    /// Whether no process listens there (connect(2): ECONNREFUSED); what cannot be determined counts as in use.
    private static func isStale(_ path: String) -> Bool {
        guard let name = UnixSocketName(path.utf8) else { return false }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return !name.connect(descriptor) && (errno == ECONNREFUSED || errno == ENOENT)
    }
}
