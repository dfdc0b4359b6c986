# Calls that node:fs has not (extended attributes, flock, POSIX locks), for tests of what a mount shows. One call on each line of
# standard input, its arguments in hexadecimal; one line of answer: "ok HEX" or "errno NUMBER". Needs perl-base and nothing more.
use strict;
use warnings;
use Fcntl qw(:flock);
use POSIX ();

my $machine = (POSIX::uname())[4];
my %number_of = (
    x86_64  => { setxattr => 188, getxattr => 191, listxattr => 194, removexattr => 197 },
    aarch64 => { setxattr => 5,   getxattr => 8,   listxattr => 11,  removexattr => 14 },
);
my $number = $number_of{$machine} or die "the numbers of system calls of $machine are not known\n";

my %open;
my $last = 0;

# What perl takes for a number would be passed as one.
sub text { my $text = "$_[0]\0"; return $text }

my %calls = (
    setxattr => sub {
        my ($path, $name, $value) = @_;
        my ($p, $n, $v) = (text($path), text($name), text($value));
        return syscall($number->{setxattr}, $p, $n, $v, length($value), 0) < 0 ? undef : '';
    },
    getxattr => sub {
        my ($p, $n, $v) = (text($_[0]), text($_[1]), "\0" x 65536);
        my $size = syscall($number->{getxattr}, $p, $n, $v, length $v);
        return $size < 0 ? undef : substr($v, 0, $size);
    },
    listxattr => sub {
        my ($p, $v) = (text($_[0]), "\0" x 65536);
        my $size = syscall($number->{listxattr}, $p, $v, length $v);
        return $size < 0 ? undef : substr($v, 0, $size);
    },
    removexattr => sub {
        my ($p, $n) = (text($_[0]), text($_[1]));
        return syscall($number->{removexattr}, $p, $n) < 0 ? undef : '';
    },
    open => sub {
        open(my $file, '+<', $_[0]) or return undef;
        $open{++$last} = $file;
        return $last;
    },
    close => sub { return close(delete $open{$_[0]}) ? '' : undef },
    # HANDLE, exclusive | shared | unlock, wait | try
    flock => sub {
        my ($handle, $how, $wait) = @_;
        my $operation = { exclusive => LOCK_EX, shared => LOCK_SH, unlock => LOCK_UN }->{$how};
        $operation |= LOCK_NB if $wait eq 'try';
        return flock($open{$handle}, $operation) ? '' : undef;
    },
    # HANDLE, exclusive | shared | unlock, wait | try, START, LENGTH: struct flock of a 64-bit machine
    fcntl => sub {
        my ($handle, $how, $wait, $start, $length) = @_;
        my $type = { exclusive => &Fcntl::F_WRLCK, shared => &Fcntl::F_RDLCK, unlock => &Fcntl::F_UNLCK }->{$how};
        my $lock = pack('s s x4 q q i x4', $type, 0, $start, $length, 0);
        return fcntl($open{$handle}, $wait eq 'try' ? &Fcntl::F_SETLK : &Fcntl::F_SETLKW, $lock) ? '' : undef;
    },
);

$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($verb, @arguments) = split / /, $line, -1;
    my $found = $calls{$verb}->(map { pack 'H*', $_ } @arguments);
    print defined $found ? 'ok ' . unpack('H*', $found) . "\n" : 'errno ' . ($! + 0) . "\n";
}
