import Foundation

/// A uv that makes the environment, and then hangs in a child of its own that ignores polite signals.
final class HangingUV: Sendable {
    let path: String
    /// Hangs up when the last process that holds its other end is gone; a zombie holds nothing.
    private let pipe: Int32

    struct NoPipe: Error {}

    init(in folder: TemporaryFolder) throws {
        self.path = "\(folder.path)/uv"
        let pipe = "\(folder.path)/alive"
        guard mkfifo(pipe, 0o600) == 0 else { throw NoPipe() }
        self.pipe = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard self.pipe >= 0 else { throw NoPipe() }
        try folder.write(
            "uv",
            """
            #!/bin/sh
            # uv is told where to work.
            if [ "$1" = --directory ]; then shift 2; fi
            case "$1" in
            --version) echo "uv 1.0.0 (hanging)" ;;
            venv) ;;
            *)
                sh -c 'trap "" TERM; exec 3>"\(pipe)"; echo hanging; while :; do sleep 1; done' &
                wait
                ;;
            esac
            """,
            executable: true
        )
    }

    deinit {
        close(self.pipe)
    }

    /// Whether all its processes end, within ten seconds at most.
    func isGone() -> Bool {
        var request = pollfd(fd: self.pipe, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 10_000) == 1 && request.revents & Int16(POLLHUP) != 0
    }
}
