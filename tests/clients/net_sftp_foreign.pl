# Fetches the whole outbox with Net::SFTP::Foreign over OpenSSH's ssh, as a recipient's script would,
# and goes on with a file of which the first half is there.
# Arguments: ssh configuration, where to, file to resume, its local half.
use strict;
use warnings;
use Net::SFTP::Foreign;

my ($config, $to, $remote, $half) = @ARGV;
my $sftp = Net::SFTP::Foreign->new('vault', more => ['-F', $config], timeout => 60, queue_size => 64);
$sftp->die_on_error('sign in');
$sftp->rget('/outbox', $to, on_error => sub { die "$_[1]{filename}: " . $_[0]->error . "\n" });
$sftp->die_on_error('fetch the outbox');
$sftp->get($remote, $half, resume => 1);
$sftp->die_on_error('resume');
