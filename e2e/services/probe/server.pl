# Answers with its version; on SIGTERM ends what is open, then goes. The first word of the version tells how it misbehaves.
# In Perl, which every Debian has: an image of ten megabytes is pushed, started and asked whether it is healthy for next to nothing.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POSIX ();

open my $file, '<', '/version.txt' or die $!;
chomp(my $version = <$file> // '');
my $door = $version =~ /^silent/ ? undef : listening($ENV{PORT});
my $ending = 0;
local $SIG{TERM} = $version =~ /^rude/ ? 'IGNORE' : sub { $ending = 1 };
local $SIG{PIPE} = 'IGNORE';
STDOUT->autoflush(1);
print "version $version, key ", $ENV{API_KEY} // 'undefined', "\n";
if ($version =~ /^exits/) {
    warn "cannot open the cellar: no key\n";
    exit 3;
}

my $all = IO::Select->new($door // ());
# By socket: what it said that is not answered yet, and when what it asked is to be answered.
my %open;
until ($ending && !$door && !%open) {
    close_door() if $ending && $door;
    my $next = (sort { $a <=> $b } now() + 0.25, map { $_->{due} // () } values %open)[0];
    my $wait = $next - now();
    for my $socket ($all->can_read($wait > 0 ? $wait : 0)) {
        if ($door && $socket == $door) { welcome() }
        else                           { hear($open{$socket}) }
    }
    for my $caller (grep { defined $_->{due} && $_->{due} <= now() } values %open) {
        answer($caller);
        understand($caller) if $open{$caller->{socket}};
    }
}

# Seconds, to the hundredth.
sub now { return (POSIX::times())[0] / 100 }

sub listening {
    my ($port) = @_;
    return IO::Socket::INET->new(LocalPort => $port, Listen => 511, ReuseAddr => 1, Blocking => 0) || die "port $port: $@";
}

sub welcome {
    while (my $socket = $door->accept) {
        $socket->blocking(0);
        $all->add($socket);
        $open{$socket} = { socket => $socket, got => '' };
    }
}

# Who has come already is heard; who has nothing to ask goes.
sub close_door {
    welcome();
    $all->remove($door);
    close $door;
    undef $door;
    for (values %open) { leave($_) if $_->{got} eq '' && !defined $_->{due} }
}

sub leave {
    my ($caller) = @_;
    $all->remove($caller->{socket});
    delete $open{ $caller->{socket} };
    close $caller->{socket};
}

sub hear {
    my ($caller) = @_;
    my $count = sysread $caller->{socket}, $caller->{got}, 65536, length $caller->{got};
    return if !defined $count && ($!{EAGAIN} || $!{EINTR});
    return leave($caller) unless $count;
    understand($caller) unless defined $caller->{due};
}

# A whole request: it will be answered at once, or later if it wants that.
sub understand {
    my ($caller) = @_;
    my ($head) = $caller->{got} =~ /\A(.*?\r\n\r\n)/s or return;
    my ($path, $minor) = $head =~ m{\A\S+ (\S+) HTTP/1\.([01])\r\n} or return leave($caller);
    my %header = map { lc($_->[0]) => $_->[1] } map { [/\A([^:]+):\s*(.*?)\s*\z/] } grep { /:/ } split /\r\n/, $head;
    my $body = body_size(substr($caller->{got}, length $head), \%header);
    return unless defined $body;
    substr $caller->{got}, 0, length($head) + $body, '';
    exit 7 if $path eq '/crash' && $version =~ /^crash/;
    my $checks  = $path eq '/health';
    my $usual   = !$checks && $version =~ /^late/ ? 1500 : 0;
    my $wishes  = lc($header{connection} // '');
    $caller->{stays}  = $minor ? $wishes ne 'close' : $wishes eq 'keep-alive';
    $caller->{status} = $version =~ ($checks ? qr/^sick/ : qr/^bad/) ? '500 Internal Server Error' : '200 OK';
    $caller->{due}    = now() + ($path =~ m{\A/slow/(\d{1,5})\z} ? $1 : $usual) / 1000;
}

# Bytes of a body that is all there; undefined while it is not.
sub body_size {
    my ($rest, $header) = @_;
    if (($header->{'transfer-encoding'} // '') =~ /chunked/i) {
        my $at = 0;
        while (substr($rest, $at) =~ /\A([0-9a-fA-F]+)[^\r\n]*\r\n/) {
            my $size = hex $1;
            $at += length($&) + $size + 2;
            return if $at > length $rest;
            return $at if $size == 0;
        }
        return;
    }
    my $size = $header->{'content-length'} // 0;
    return $size <= length $rest ? $size : undef;
}

sub answer {
    my ($caller) = @_;
    my $stays = $caller->{stays} && !$ending && $version !~ /^rude/;
    my @lines = ("HTTP/1.1 $caller->{status}", 'Content-Type: text/plain', 'Content-Length: ' . length $version);
    push @lines, 'Connection: ' . ($stays ? 'keep-alive' : 'close');
    syswrite $caller->{socket}, join("\r\n", @lines, '', $version);
    delete $caller->{due};
    leave($caller) unless $stays;
}
