/** A service of ten megabytes, so that several machines have it in no time: Perl and nothing else. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export const smallImage = "towline/test-perl:1";

const recipe = `FROM towline/base-debian:stable
RUN mkdir /out \\
 && for file in /usr/bin/perl $(ldd /usr/bin/perl | grep -o '/[^ ]*'); do cp --parents --dereference "$file" /out; done \\
 && cp -r --parents /usr/lib/*-linux-gnu/perl-base /out
FROM scratch
COPY --from=0 /out /
`;

/** Makes the image on the engine of this machine, which has the base image of Debian. */
export async function buildSmallImage(): Promise<void> {
  const building = run("docker", ["build", "--quiet", "--tag", smallImage, "-"]);
  building.child.stdin?.end(recipe);
  await building;
}

/** Answers `ok` at port 8080 after 50 ms, one after the other; asked to end, it answers what it has and closes its door. */
export const smallService = [
  "perl",
  "-MIO::Socket::INET",
  "-e",
  `my $door = IO::Socket::INET->new(LocalPort => 8080, Listen => 128, ReuseAddr => 1) or die;
   my $open = 1;
   $SIG{TERM} = sub { $open = 0; close $door };
   $SIG{PIPE} = "IGNORE";
   while ($open) {
     my $asked = $door->accept or next;
     while (<$asked>) { last if /^\\r?\\n$/ }
     select undef, undef, undef, 0.05;
     print $asked "HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\nconnection: close\\r\\n\\r\\nok";
     close $asked;
   }`,
];
