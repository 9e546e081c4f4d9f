# Uploads with Net::SFTP::Foreign over OpenSSH's ssh, as a recipient's script would: a file, one that goes on from
# its first half and is renamed, and a whole folder.
# Arguments: ssh configuration, local file, its local half, local folder, the folder of the drop-box.
use strict;
use warnings;
use Net::SFTP::Foreign;

my ($config, $whole, $half, $folder, $to) = @ARGV;
my $sftp = Net::SFTP::Foreign->new('vault', more => ['-F', $config], timeout => 60, queue_size => 64);
$sftp->die_on_error('sign in');
$sftp->put($whole, "$to/whole.csv");
$sftp->die_on_error('put');
$sftp->put($half, "$to/resumed.csv.part");
$sftp->die_on_error('put the half');
$sftp->put($whole, "$to/resumed.csv.part", resume => 1);
$sftp->die_on_error('resume');
$sftp->rename("$to/resumed.csv.part", "$to/resumed.csv");
$sftp->die_on_error('rename');
# The folder that it goes into is there: that is told as an error, and the files follow.
my $tell = sub { die "$_[1]{filename}: " . $_[0]->error . "\n" unless $_[0]->error =~ /already exists/ };
$sftp->rput($folder, $to, on_error => $tell);
