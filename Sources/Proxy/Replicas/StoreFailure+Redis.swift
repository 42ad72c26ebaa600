import Flow
import Redis

extension StoreFailure {
    init(_ failure: CommandFailure) {
        switch failure {
        case .notConnected: self = .unreachable
        case .timedOut, .tooManyInFlight: self = .timeout
        case .unexpectedReply: self = .malformed
        case .refused(let error): self.init(error)
        }
    }

    private init(_ error: ServerError) {
        switch error.cause {
        case .readOnly, .noReplicas: self = .readOnly
        case .loading: self = .loading
        case .busy: self = .busy
        case .outOfMemory: self = .outOfMemory
        case .misconfigured: self = .misconfigured
        case .clusterDown, .masterDown, .moved: self = .clusterDown
        case .notAuthenticated, .wrongPassword, .notPermitted: self = .denied
        case .unknownScript, .other: self = .malformed
        }
    }
}

extension StoreReply {
    /// The checked result of a command.
    ///
    /// - Throws: Why the store did not do what the command asked for.
    init(_ result: Result<Reply, CommandFailure>, to command: StoreCommand) throws(StoreFailure) {
        switch result {
        case .failure(let failure): throw StoreFailure(failure)
        case .success(let reply):
            guard case .integers(let numbers) = reply else { throw .malformed }
            try self.init(numbers, to: command)
        }
    }
}
