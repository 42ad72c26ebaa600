package import NIOCore

extension Listener {
    /// The listeners of all event loops, if one of them accepts for all.
    ///
    /// Each connection is moved to its loop, which costs some microseconds. With a socket for each loop the kernel spreads the
    /// connections, which costs nothing; a unix socket or an inherited one cannot be opened more than once.
    package struct Spread: Sendable {
        let group: any EventLoopGroup
        private let listeners: [(eventLoop: any EventLoop, listener: NIOLoopBound<Listener>)]

        /// - Parameters:
        ///   - group: The loops.
        ///   - listeners: One for each of them.
        package init(over group: any EventLoopGroup, _ listeners: [(any EventLoop, NIOLoopBound<Listener>)]) {
            self.group = group
            self.listeners = listeners
        }

        func listener(on eventLoop: any EventLoop) -> NIOLoopBound<Listener>? {
            listeners.first { $0.eventLoop === eventLoop }?.listener
        }
    }
}
