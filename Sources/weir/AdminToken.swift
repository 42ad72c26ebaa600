import Foundation

/// The source of the `admin_token`; never an argument, which every user of the machine can read.
struct AdminToken: Sendable {
    /// Its first line is the token; read again for each request, so that a new token is used after a reload.
    let file: String?

    /// Without a file: `WEIR_ADMIN_TOKEN`, if it is set.
    func read() throws(AdminError) -> String? {
        guard let file else {
            return ProcessInfo.processInfo.environment["WEIR_ADMIN_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        }
        let text: String
        do { text = try String(contentsOfFile: file, encoding: .utf8) } catch {
            throw AdminError(reason: "\(file): \((error as NSError).localizedFailureReason ?? "cannot be read")")
        }
        let token = text.prefix { !$0.isNewline }.trimmingCharacters(in: .whitespaces)
        // Other characters would be part of the request's head.
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw AdminError(reason: "\(file): the first line is not a valid token")
        }
        return token
    }
}
